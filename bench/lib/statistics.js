/** Median, lowest and highest of each figure over the rounds. */
export function summary(rounds) {
  const figures = Object.keys(rounds[0]);
  return Object.fromEntries(
    figures.map((figure) => {
      const values = rounds.map((round) => round[figure]).sort((a, b) => a - b);
      return [figure, { median: values[Math.floor(values.length / 2)], low: values[0], high: values.at(-1) }];
    }),
  );
}
