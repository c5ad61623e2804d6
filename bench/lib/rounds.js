/** Rotates the order and reverses every second round, so that no contender always follows the same one. */
export function inOrderOf(round, contenders) {
  const first = round % contenders.length;
  const order = [...contenders.slice(first), ...contenders.slice(0, first)];
  return round % 2 === 0 ? order : order.reverse();
}
