// Many clients that come at once. In each case everything is there when all have what they expect.
import { once } from "node:events";
import { resumeGroups } from "@grest-ts/websocket";
import { WebSocket } from "ws";

const CAPABILITIES = "batch alive cancel drain";

/** Sockets of `ws` that send a handshake by hand, and read no more than whether all is there. */
export function bareClients(port) {
  let sockets = [];
  let sessions = 0;
  let last = "";
  let awaited = countdown(0);

  function handshake(at) {
    const headers = { authorization: "Bearer ann", "ws-capabilities": CAPABILITIES };
    if (!at) return `h:::${JSON.stringify(headers)}`;
    const resumption = JSON.stringify({ session: `session${++sessions}`, serial: 1, at });
    return `h:::${JSON.stringify({ ...headers, "ws-capabilities": `${CAPABILITIES} resume`, "ws-resume": resumption })}`;
  }

  async function come(text) {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/ws/bench`, { perMessageDeflate: false });
    sockets.push(ws);
    ws.on("message", (data) => data.includes(last) && awaited.count());
    await once(ws, "open");
    ws.send(text);
  }

  return {
    /** From now on `bareGot` waits until so many of them have got a message with this text. */
    expectBare(options) {
      last = options.last;
      awaited = countdown(options.count);
    },
    bareGot: () => awaited.all,
    /** More of them, with positions, or as clients that do not resume. */
    async comeBare({ count, at }) {
      await Promise.all(Array.from({ length: count }, () => handshake(at)).map(come));
    },
    goBare() {
      for (const ws of sockets) ws.terminate();
      sockets = [];
    },
  };
}

/** Clients of this package. They are made once, so that they have been there before. */
export function ownClients(port, Api) {
  let clients = [];
  let awaited = countdown(0);

  const connectAll = () => Promise.all(clients.map((client) => client.connect()));

  return {
    /** Makes them, and has them connect a first time. */
    async makeOwn({ count, resumes }) {
      const joined = countdown(resumes ? count : 0);
      const options = () => resumes && { resume: resumeGroups({ onGroup: () => joined.count() }) };
      clients = Array.from({ length: count }, () => {
        const client = Api.createClient({ url: `ws://127.0.0.1:${port}`, reconnect: true, ...options() });
        client.incoming.on({ news: () => awaited.count(), ask: async () => ({ answer: true }) });
        return client;
      });
      await connectAll();
      await joined.all;
    },
    /** All come again, and each gets so many messages. */
    async comeOwn({ missed }) {
      awaited = countdown(clients.length * missed);
      await connectAll();
      await awaited.all;
    },
    goOwn() {
      for (const client of clients) client.close();
    },
  };
}

/** Resolves `all` when it has been counted so often. */
function countdown(left) {
  let onAll = () => {};
  const all = new Promise((resolve) => {
    onAll = resolve;
  });
  if (left === 0) onAll();
  return { all, count: () => --left === 0 && onAll() };
}
