import { defineConfig } from "vite";
import { compressed } from "./compressed.js";

export default defineConfig({
  base: "/graphiql/",
  build: {
    target: "es2023",
    // Monaco is one piece of 3 MB, loaded once and kept by the browser for good.
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      // GraphiQL's icons are called after their components: a minified one would be "e t icon".
      output: { keepNames: true },
      onwarn(warning, warn) {
        // Directives of React's server side, in dozens of libraries; they mean nothing here.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
  plugins: [compressed()],
});
