import type { GGAsyncApiSchema } from "@grest-ts/websocket/asyncapi";
import { describeRules, describeType } from "./describeType.js";
import { type Html, html, prose } from "./html.js";
import { type Resolve, schemasIn } from "./schemas.js";

/** A value as a list: what it is, and for an object its members. A type within itself is not shown again. */
export function fields(given: unknown, resolve: Resolve, open: readonly GGAsyncApiSchema[] = []): Html {
  const schema = resolve(given);
  if (open.includes(schema)) return html``;
  const within = [...open, schema];
  const members = membersOf(schema).map(([name, member, isRequired]) => {
    return html`<li><code>${name}</code>${isRequired ? "" : html`<span class="optional">optional</span>`} ${summary(member, resolve)}${nested(member, resolve, within)}</li>`;
  });
  return members.length > 0 ? html`<ul class="fields">${members}</ul>` : html``;
}

/** What a value is, in one paragraph. */
export function summary(given: unknown, resolve: Resolve): Html {
  const schema = resolve(given);
  const rules = describeRules(schema).map((rule) => html`<span class="rule">${rule}</span>`);
  const text =
    typeof schema.description === "string" ? html`<span class="about">${prose(schema.description)}</span>` : undefined;
  return html`<span class="type">${describeType(schema, resolve)}</span>${rules}${text}`;
}

/** The members of an object, of the objects in a list, and of the objects that a value may be one of. */
function nested(given: unknown, resolve: Resolve, open: readonly GGAsyncApiSchema[]): Html {
  const schema = resolve(given);
  const parts = [
    schema,
    schema.items,
    schema.additionalProperties,
    ...schemasIn(schema.oneOf),
    ...schemasIn(schema.anyOf),
  ];
  return html`${parts.filter(isObject).map((part) => fields(part, resolve, open))}`;
}

function membersOf(schema: GGAsyncApiSchema): [name: string, member: unknown, isRequired: boolean][] {
  const required = schemasIn(schema.required);
  return Object.entries(Object(schema.properties)).map(([name, member]) => [name, member, required.includes(name)]);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
