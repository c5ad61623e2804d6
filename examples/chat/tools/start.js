// `npm start`: builds what is out of date, then runs the server in this very process.
import { buildChat } from "./build.js";

await buildChat();
await import(String(new URL("../dist/server/main.js", import.meta.url)));

// npm runs this through a shell, and a SIGTERM for npm ends the shell alone. The server goes with it, or it would keep
// the port with nobody left to stop it.
const shell = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === shell) return;
  clearInterval(watch);
  process.kill(process.pid, "SIGTERM");
}, 500);
watch.unref();
