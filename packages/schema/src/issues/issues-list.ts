import { type GGIssueKey, type GGIssueParams, messageOf } from "./issue-key.js";

/** A validation issue in the data of a `VALIDATION_ERROR`. */
export interface ValidationIssueJson {
  path: string;
  code: string;
  message: string;
  params?: Record<string, unknown>;
  value?: unknown;
  usedLanguage?: string;
  expectedLanguage?: string;
}

interface Entry {
  readonly key: GGIssueKey;
  readonly value: unknown;
  readonly path: string;
  readonly params: GGIssueParams | undefined;
}

/** The issues of a failed validation, in order. `parse` throws it; it is not an `Error`. */
export class GGIssuesList {
  readonly #entries: Entry[] = [];

  get length(): number {
    return this.#entries.length;
  }

  add(key: GGIssueKey, value: unknown, path: string, params?: GGIssueParams): void {
    this.#entries.push({ key, value, path, params });
  }

  getPath(index: number): string {
    return this.#at(index).path;
  }

  getIssue(index: number): GGIssueKey {
    return this.#at(index).key;
  }

  getMessage(index: number): string {
    const { key, params } = this.#at(index);
    return messageOf(key, params);
  }

  getParams(index: number): GGIssueParams | undefined {
    return this.#at(index).params;
  }

  getValue(index: number): unknown {
    return this.#at(index).value;
  }

  hasIssues(): boolean {
    return this.#entries.length > 0;
  }

  /** Whether any issue satisfies `predicate`. */
  some(predicate: (issue: GGIssueKey, path: string, index: number) => boolean): boolean {
    return this.#entries.some((entry, index) => predicate(entry.key, entry.path, index));
  }

  toString(): string {
    return this.#entries
      .map(({ key, path, params }) => (path ? `${path}: ${messageOf(key, params)}` : messageOf(key, params)))
      .join("\n");
  }

  toJSON(): ValidationIssueJson[] {
    return this.#entries.map(({ key, value, path, params }) => {
      const json: ValidationIssueJson = { path, code: key.code, message: messageOf(key, params) };
      if (params) json.params = { ...params };
      if (value !== undefined) json.value = value;
      return json;
    });
  }

  #at(index: number): Entry {
    const entry = this.#entries[index];
    if (!entry) throw new RangeError(`No validation issue at index ${index}`);
    return entry;
  }
}
