import { type Frame, InspectorApi } from "../../shared/InspectorApi.js";
import { byId, element } from "../dom.js";

/** How many frames are kept, and shown, at most. */
const MAX_FRAMES = 2_000;

const page = document.documentElement;
const table = byId("frames");
const state = byId("state");
const pause = byId("pause");
const form = byId("filter") as HTMLFormElement;
const { path, connection, failed } = form.elements as HTMLFormControlsCollection & {
  readonly path: HTMLInputElement;
  readonly connection: HTMLSelectElement;
  readonly failed: HTMLInputElement;
};

let frames: Frame[] = [];
let isPaused = false;

const key = new URLSearchParams(location.search).get("key") ?? "";
const client = InspectorApi.createClient({ url: "", query: { key }, reconnect: { initial: true } });
client.incoming.on({ frames: add });
client.onConnect(async ({ outgoing }) => {
  frames = [];
  add(await outgoing.recent());
  render();
});
client.onState(showState);
client.onClose((_reason, error) => {
  state.textContent = `Not connected: ${error?.context?.displayMessage ?? "the server has closed the connection"}`;
});
form.addEventListener("input", render);
form.addEventListener("submit", (event) => event.preventDefault());
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  pause.textContent = isPaused ? "Go on" : "Pause";
  if (!isPaused) render();
  showState();
});
byId("clear").addEventListener("click", () => {
  frames = [];
  render();
});
showState();
void client.connect().catch(() => {});

/** Keeps what was seen, also while nothing new is shown. */
function add(added: readonly Frame[]): void {
  frames = [...frames, ...added].slice(-MAX_FRAMES);
  if (isPaused) return showState();
  offerConnections();
  const isAtEnd = isScrolledToEnd();
  table.append(...added.filter(isWanted).map(row));
  while (table.childElementCount > MAX_FRAMES) table.firstElementChild?.remove();
  if (isAtEnd) scrollToEnd();
}

function render(): void {
  offerConnections();
  table.replaceChildren(...frames.filter(isWanted).map(row));
  scrollToEnd();
}

function isWanted(frame: Frame): boolean {
  const text = path.value.trim().toLowerCase();
  return (
    (frame.path ?? "").toLowerCase().includes(text) &&
    (connection.value === "" || frame.connection === connection.value) &&
    (!failed.checked || !!frame.failed)
  );
}

/** Those that have a frame, and the one that is chosen. */
function offerConnections(): void {
  const ids = new Set(frames.map((frame) => frame.connection));
  for (const option of [...connection.options]) {
    if (option.value && !ids.delete(option.value) && !option.selected) option.remove();
  }
  connection.append(...[...ids].map((id) => element("option", { value: id }, id)));
}

function row(frame: Frame): HTMLTableRowElement {
  const { at, batch, ms, code, reason, message, payload } = frame;
  const isSent = frame.direction === "sent";
  const cells = [
    new Date(at).toISOString().slice(11, -1),
    frame.connection,
    isSent ? "→ out" : "← in",
    batch ? `${frame.kind} (${batch.index + 1} of ${batch.size})` : frame.kind,
    frame.path,
    frame.id,
    frame.result ?? [code, reason].filter(Boolean).join(" "),
    ms?.toFixed(1),
    String(frame.bytes),
    [message, payload].filter(Boolean).join("\n"),
  ];
  return element("tr", frame.failed ? { class: "failed" } : {}, ...cells.map((text = "") => element("td", {}, text)));
}

function showState(): void {
  if (client.state === "closed") return;
  const how = client.state === "connected" ? "Connected" : "Waiting for the server";
  state.textContent = isPaused ? `${how}, paused: ${frames.length} frames are kept` : how;
}

function isScrolledToEnd(): boolean {
  return page.scrollTop + page.clientHeight >= page.scrollHeight - 8;
}

function scrollToEnd(): void {
  page.scrollTop = page.scrollHeight;
}
