// `npm run chat`: builds if out of date, then runs the terminal client in this process.
import { buildChat } from "./build.js";

await buildChat();
await import(String(new URL("../dist/terminal/main.js", import.meta.url)));
