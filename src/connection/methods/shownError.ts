import { SERVER_ERROR } from "@grest-ts/schema";

/**
 * A `SERVER_ERROR` that shows its sentence as text; its type, name and message are those of the framework.
 * `node/inspection.ts` shows the sentence in consoles and tests of Node, `client/platform/stackText.ts` in those of pages.
 */
export class ShownError extends SERVER_ERROR {
  override toString(): string {
    return `${this.type}: ${this.context?.displayMessage ?? this.message}`;
  }
}
