// `npm start`: builds if out of date, then runs the server in this process.
import { buildChat } from "./build.js";
import { endWithShell } from "./shell.js";

await buildChat();
await import(String(new URL("../dist/server/main.js", import.meta.url)));
endWithShell();
