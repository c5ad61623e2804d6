const LOADED = Symbol.for("grest-ts:dedup:@grest-ts/locator");
if (LOADED in globalThis) {
  throw new Error("@grest-ts/locator is loaded twice in this process: dedupe it, for all to share one copy.");
}
Object.assign(globalThis, { [LOADED]: true });
