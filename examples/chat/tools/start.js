// `npm start`: builds if out of date, then runs the server in this process.
import { buildChat } from "./build.js";

await buildChat();
await import(String(new URL("../dist/server/main.js", import.meta.url)));

// npm runs this through a shell, and a SIGTERM to npm ends only the shell. The server ends with it, because otherwise
// it would keep the port with no process to stop it.
const shell = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === shell) return;
  clearInterval(watch);
  process.kill(process.pid, "SIGTERM");
}, 500);
watch.unref();
