/** A figure with its spread, for a table. */
export function withSpread({ median, low, high }) {
  return `${round(median)} (${round(low)}–${round(high)})`;
}

function round(value) {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
