const LOADED = Symbol.for("grest-ts:dedup:@grest-ts/discovery");
if (LOADED in globalThis) {
  throw new Error("@grest-ts/discovery is loaded twice in this process: dedupe it, for all to share one copy.");
}
Object.assign(globalThis, { [LOADED]: true });
