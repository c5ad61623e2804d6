/**
 * Tests an API over a real connection, with expectations of both directions. Works with vitest and any other runner.
 *
 * @module testkit
 */

export type { GGSocketTestAction } from "./action.js";
export {
  CALL_ON_FACTORY,
  type CallOnOptions,
  callOn,
  type GGSocketCallFunction,
  type GGSocketCallMap,
  type GGSocketMockMap,
  type GGSocketTester,
} from "./callOn.js";
export type { GGTestExpectation, GGTestExpectation as GGSocketExpectation, GGTestInterceptor } from "./expectation.js";
export { GGSocketTestError } from "./failure.js";
export { GGSocketCall } from "./GGSocketCall.js";
export { GGSocketMock } from "./GGSocketMock.js";
export type { GGOnTestFinished } from "./runner.js";
export type {
  GGExpected,
  GGFieldErrors,
  GGFieldIssues,
  GGPartial,
  GGTestErrorClass,
  GGTestErrorData,
  GGTestErrors,
  GGTestGiven,
  GGTestInput,
  GGTestReply,
  GGTestSuccess,
} from "./types.js";
