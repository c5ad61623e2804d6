export { CALL_ON_FACTORY, callOn, type GGCallOnFactory } from "./callOn.js";
export { GGTestAction } from "./GGTestAction.js";
export { GG_TEST_RUNNER, type GGTestRunner } from "./GGTestRunner.js";
export { loadTestkit } from "./loadTestkit.js";
export type { IGGTestInterceptor, IGGTestWith } from "./types.js";
