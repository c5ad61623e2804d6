let before;

/** The CPU time of this process, in µs. */
export const cpuTasks = {
  start() {
    before = process.cpuUsage();
  },
  stop() {
    const { user, system } = process.cpuUsage(before);
    return user + system;
  },
};
