// GraphiQL on our schema: where operations go, what it begins with, what it may remember.

// First: it tells Monaco where its workers are, before anything makes an editor.
import "graphiql/setup-workers/vite";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { createRoot } from "react-dom/client";

import { AnswerLog } from "./answers";
import { answerPlugin } from "./answer-panel";
import { forgetOnceKept, takeAsked } from "./asked";
import { Brand } from "./brand";
import { watchedFetcher } from "./fetcher";
import { SignIn, signInPlace } from "./sign-in";
import { signInPlugin } from "./sign-in-panel";
import { TABS } from "./starters";
import { withoutHeaders } from "./storage";
import "./styles.css";

const answers = new AnswerLog();
const place = await signInPlace();
const signIn = place && new SignIn(place);
const fetcher = watchedFetcher(answers, signIn);
const asked = takeAsked();
const storage = withoutHeaders(localStorage, (tabs) => asked && forgetOnceKept(asked, tabs));
const plugins = [HISTORY_PLUGIN, explorerPlugin(), answerPlugin(answers)];
if (signIn) plugins.push(signInPlugin(signIn));

function Page() {
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={asked ? [asked, ...TABS] : TABS}
      {...(asked && { initialQuery: asked.query, initialVariables: asked.variables ?? "" })}
      defaultEditorToolsVisibility="variables"
      plugins={plugins}
      storage={storage}
      // A header may be somebody's token: it lives in its text field and nowhere else.
      shouldPersistHeaders={false}
      showPersistHeadersSettings={false}
    >
      <GraphiQL.Logo>
        <Brand />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

const root = document.querySelector("#page");
if (root === null) throw new Error("index.html has no #page");
createRoot(root).render(<Page />);
