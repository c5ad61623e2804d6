/** A promise that a test resolves. */
export class Gate<T = void> {
  readonly passed: Promise<T>;
  #open!: (value: T) => void;

  constructor() {
    this.passed = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(value: T): void {
    this.#open(value);
  }
}
