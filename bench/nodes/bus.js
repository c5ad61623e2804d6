/** Resolves once a bus reaches the other nodes. */
export async function isUp(bus) {
  if (bus.health === "up") return;
  await new Promise((resolve) => {
    bus.onHealth((health) => health === "up" && resolve());
  });
}
