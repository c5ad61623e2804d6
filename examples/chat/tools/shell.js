/**
 * Ends this process when the shell ends in which npm runs it: a SIGTERM to npm ends only the shell, and the process would
 * keep its port with nothing to stop it.
 */
export function endWithShell() {
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, 500);
  watch.unref();
}
