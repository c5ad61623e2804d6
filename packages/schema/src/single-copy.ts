/**
 * Throws when this process has loaded `name` before. With two copies, `instanceof` and comparisons of constants would
 * fail far from the cause.
 */
export function claimOnce(name: string): void {
  const claim = Symbol.for(`grest-ts:dedup:${name}`);
  if (claim in globalThis) {
    throw new Error(
      `${name} is loaded twice. Dedupe it: all packages of one process must share one copy (see \`npm ls ${name}\` and \`npm dedupe\`).`,
    );
  }
  Object.assign(globalThis, { [claim]: true });
}
