/** What an action's `with` and `waitFor` take. */
export interface IGGTestWith {
  /** Creates the interceptor for one action. */
  createInterceptor(): IGGTestInterceptor;
  /** Whether only `waitFor` can wait for it. */
  requiresWaitFor?(): boolean;
}

/** Watches for something while an action runs. */
export interface IGGTestInterceptor {
  register(): void;
  unregister(): void;
  /** Throws unless the expectation is met. */
  validate(): void;
  /** Why the observed effect does not match. */
  getMockValidationError(): Error | undefined;
  /** Whether an effect was observed. */
  isCalled(): boolean;
}
