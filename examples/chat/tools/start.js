// `npm start`: builds what is out of date, then runs the server in this very process, so that a signal reaches it.
import { buildChat } from "./build.js";

await buildChat();
await import(String(new URL("../dist/server/main.js", import.meta.url)));
