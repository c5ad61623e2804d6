// `npm run chat`: builds what is out of date, then runs the terminal client in this very process.
import { buildChat } from "./build.js";

await buildChat();
await import(String(new URL("../dist/terminal/main.js", import.meta.url)));
