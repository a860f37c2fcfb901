// GraphiQL on our schema: where operations go, what it begins with, what it may remember.

// First: it tells Monaco where its workers are, before anything makes an editor.
import "graphiql/setup-workers/vite";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { createRoot } from "react-dom/client";

import { AnswerLog } from "./answers";
import { answerPlugin } from "./answer-panel";
import { Brand } from "./brand";
import { watchedFetcher } from "./fetcher";
import { TABS } from "./starters";
import { withoutHeaders } from "./storage";
import "./styles.css";

const answers = new AnswerLog();
const fetcher = watchedFetcher(answers);
const storage = withoutHeaders(localStorage);
const plugins = [HISTORY_PLUGIN, explorerPlugin(), answerPlugin(answers)];

function Page() {
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={TABS}
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

const place = document.querySelector("#page");
if (place === null) throw new Error("index.html has no #page");
createRoot(place).render(<Page />);
