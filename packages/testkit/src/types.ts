/** What an action's `with` and `waitFor` take. */
export interface IGGTestWith {
  /** Makes what watches during one action. */
  createInterceptor(): IGGTestInterceptor;
  /** Whether only `waitFor` can wait for it. */
  requiresWaitFor?(): boolean;
}

/** Watches for something while an action runs. */
export interface IGGTestInterceptor {
  register(): void;
  unregister(): void;
  /** Throws unless what was expected came. */
  validate(): void;
  /** What is wrong with what came. */
  getMockValidationError(): Error | undefined;
  /** Whether anything came. */
  isCalled(): boolean;
}
