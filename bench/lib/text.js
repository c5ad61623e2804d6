/** A figure with its spread, for a table, and how many times as much it is as the yardstick's. */
export function withSpread({ median, low, high }, yardstick) {
  const ratio = yardstick?.median > 0 ? ` × ${(median / yardstick.median).toFixed(2)}` : "";
  return `${round(median)} (${round(low)}–${round(high)})${ratio}`;
}

function round(value) {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
