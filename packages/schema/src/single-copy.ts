/**
 * Throws when this process has loaded `name` before. Two copies would not know each other's classes: `instanceof` and
 * the identity of constants would fail far from the cause.
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
