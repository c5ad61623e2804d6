import { GGContext } from "@grest-ts/context";
import { GG_HTTP_SERVER, type GGHttpServer } from "@grest-ts/http";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { FORBIDDEN, NOT_AUTHORIZED, NOT_FOUND, VALIDATION_ERROR } from "@grest-ts/schema";
import { GGSocketPool, GGWebSocketMetrics, webSocketSchema } from "@grest-ts/websocket";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Queue } from "../support/queue.js";
import { startHttp } from "../support/server.js";
import * as Auth from "./readme/auth.js";
import * as Bearer from "./readme/bearerAuth.js";
import * as Chaining from "./readme/chaining.js";
import { ChatApi, type Message } from "./readme/chatApi.js";
import { ChatService } from "./readme/chatService.js";
import { clientExample } from "./readme/client.js";
import { duringConnection, duringMessage } from "./readme/contextKeys.js";
import * as Errors from "./readme/errors.js";
import { MyApiContract } from "./readme/methodTypes.js";
import * as Permissions from "./readme/permissions.js";
import * as Pool from "./readme/pool.js";
import * as Registering from "./readme/registering.js";
import * as Builder from "./readme/schemaBuilder.js";
import { testingExample } from "./readme/testing.js";

/** Runs a client's code as a signed-in user. */
const as = <T>(userId: string, run: () => T): T =>
  new GGContext("client").run(() => {
    Auth.GG_USER_AUTH.set({ userId, token: `token of ${userId}` });
    return run();
  });

/** A client whose connection is closed when the test is over. */
function closing<T extends { close(): void }>(client: T): T {
  onTestFinished(() => client.close());
  return client;
}

/** Connects a user to the README's chat, and keeps the pushes. */
async function join(url: string, userId: string) {
  const client = closing(Builder.ChatApi.createClient({ url, query: { room: "general" } }));
  const messages = new Queue<Message>();
  const typing = new Queue<string>();
  client.incoming.on({
    newMessage: (message) => messages.push(message),
    typing: (event) => typing.push(`${event.userId} in ${event.channelId}`),
  });
  await as(userId, () => client.connect());
  return { client, messages, typing };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("WebSocket API definition", () => {
  it("Contract Method Types: both sending modes", async () => {
    const MyApi = webSocketSchema(MyApiContract).path("ws/my").done();
    const notified = new Queue<string>();
    const { url } = await startHttp((http) =>
      MyApi.register(
        (incoming) =>
          incoming.on({
            update: async ({ id }) => ({ revision: `${id}.2` }),
            notify: ({ text }) => notified.push(text),
            ping: () => notified.push("ping"),
          }),
        { http },
      ),
    );
    const client = closing(MyApi.createClient({ url }));
    await client.connect();
    expect(await client.outgoing.update({ id: "a" })).toEqual({ revision: "a.2" });
    expect(await client.outgoing.notify({ text: "hi" })).toBeUndefined();
    expect(await client.outgoing.ping()).toBeUndefined();
    expect(await notified.take(2)).toEqual(["hi", "ping"]);
  });

  it("Schema Builder: path, middleware and query", () => {
    expect(Builder.ChatApi.name).toBe("ChatApi");
    expect(Builder.ChatApi.path).toBe("ws/chat");
    expect(Builder.ChatApi.middlewares).toEqual([Auth.AuthMiddleware]);
  });

  it("Permissions: checked at the handshake and per message, against scopes found once", async () => {
    const held = new Map([
      ["writer", new Set(["chat:open", "chat:write"])],
      ["reader", new Set(["chat:open"])],
      ["guest", new Set(["other"])],
    ]);
    const getScopes = vi.fn(() => held.get(Auth.GG_USER_AUTH.get()?.userId ?? "") ?? null);
    // Without {http}, the app's server is used.
    const { url } = await startHttp(() => Permissions.register(getScopes));
    const connect = async (userId: string) => {
      const client = closing(Permissions.ChatApi.createClient({ url }));
      await as(userId, () => client.connect());
      return client.outgoing;
    };
    await expect(connect("stranger")).rejects.toBeInstanceOf(NOT_AUTHORIZED);
    await expect(connect("guest")).rejects.toBeInstanceOf(FORBIDDEN);
    const reader = await connect("reader");
    await expect(reader.sendMessage("a")).rejects.toBeInstanceOf(FORBIDDEN);
    expect(await reader.hello()).toBe("hello");
    const writer = await connect("writer");
    expect(await writer.sendMessage("a")).toBe("sent a");
    expect(await writer.sendMessage("b")).toBe("sent b");
    expect(getScopes).toHaveBeenCalledTimes(4);
  });

  it("Permissions: the server does not start without a resolver, and lists what needs one", async () => {
    const started = startHttp((http) => Permissions.ChatApi.register(Permissions.handleConnection, { http }));
    await expect(started).rejects.toThrow(/ChatApi\.sendMessage/);
  });
});

describe("Middleware", () => {
  it("Defining Middleware: refuses a client without a token, and resolves the user of a token", async () => {
    const { url } = await startHttp((http) => Builder.ChatApi.register(new ChatService().handleConnection, { http }));
    const stranger = closing(Builder.ChatApi.createClient({ url }));
    await expect(stranger.connect()).rejects.toBeInstanceOf(NOT_AUTHORIZED);
    const forger = closing(Builder.ChatApi.createClient({ url }));
    const forged = new GGContext("client").run(() => {
      Auth.GG_USER_AUTH.set({ userId: "ann", token: "made up" });
      return forger.connect();
    });
    await expect(forged).rejects.toBeInstanceOf(NOT_AUTHORIZED);
    const { client } = await join(url, "ann");
    expect(client.isConnected).toBe(true);
  });

  it("Chaining Middleware: in order, parse then process", async () => {
    Chaining.steps.length = 0;
    const { url } = await startHttp((http) => Chaining.ChatApi.register(() => {}, { http }));
    const client = closing(Chaining.ChatApi.createClient({ url }));
    await as("ann", () => client.connect());
    expect(Chaining.steps).toEqual([
      "locale, client",
      "rate limit, client",
      "locale, parse",
      "locale, process",
      "rate limit, parse",
    ]);
  });

  it("Sharing middleware with HTTP APIs: one instance on both", async () => {
    const whoAmI = async () => Bearer.GG_AUTH_USER.get()?.role ?? "anonymous";
    const { http, url } = await startHttp((server) => {
      Bearer.ItemApi.register({ whoAmI }, { http: server });
      Bearer.ChatApi.register((incoming) => incoming.on({ whoAmI }), { http: server });
    });
    const items = Bearer.ItemApi.createClient({ url: `http://127.0.0.1:${http.port}` });
    const chat = closing(Bearer.ChatApi.createClient({ url }));
    const signedIn = <T>(id: string, run: () => T) =>
      new GGContext("client").run(() => {
        Bearer.GG_AUTH_USER.set({ id, role: "as the client says" });
        return run();
      });
    expect(await signedIn("ann", () => items.whoAmI())).toBe("admin");
    await signedIn("ann", () => chat.connect());
    expect(await chat.outgoing.whoAmI()).toBe("admin");

    const refused = [
      ["Missing bearer token", () => items.whoAmI(), () => closing(Bearer.ChatApi.createClient({ url })).connect()],
      [
        "Invalid token",
        () => signedIn("bob", () => items.whoAmI()),
        () => signedIn("bob", () => closing(Bearer.ChatApi.createClient({ url })).connect()),
      ],
    ] as const;
    for (const [displayMessage, ...ways] of refused) {
      for (const way of ways) {
        const error = await Promise.resolve(way()).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(NOT_AUTHORIZED);
        expect(error).toMatchObject({ context: { displayMessage } });
      }
    }
  });
});

describe("Server Setup", () => {
  it("Connection Handler: two clients and a broadcast", async () => {
    const chatService = new ChatService();
    const { url } = await startHttp((http) => Builder.ChatApi.register(chatService.handleConnection, { http }));
    const ann = await join(url, "ann");
    const bob = await join(url, "bob");

    const response = await ann.client.outgoing.sendMessage({ text: "Hello!", channelId: "general" });
    expect(response).toEqual({ success: true, messageId: "msg-456" });
    const message = { id: "msg-456", text: "Hello!", senderId: "ann", timestamp: 1 };
    expect(await ann.messages.next()).toEqual(message);
    expect(await bob.messages.next()).toEqual(message);

    chatService.notifyTyping("ann", "general");
    expect(await bob.typing.next()).toBe("ann in general");
    expect(ann.typing.unseen).toEqual([]);

    await bob.client.outgoing.markAsRead({ messageId: "msg-456" });
    await vi.waitUntil(() => chatService.read.length > 0);
    expect(chatService.read).toEqual(["bob msg-456"]);

    const [toBob] = chatService.connectionsOf("bob");
    bob.client.incoming.on({ areYouThere: () => true });
    expect(await toBob?.areYouThere()).toBe(true);
    await bob.client.disconnect();
    await vi.waitUntil(() => chatService.connectionsOf("bob").length === 0);
    expect(chatService.connectionsOf("ann")).toHaveLength(1);
  });

  async function startComposed(runtime: { compose(): void }): Promise<{ http: GGHttpServer; url: string }> {
    runtime.compose();
    const http = GG_HTTP_SERVER.get();
    onTestFinished(() => http.teardown());
    await http.start();
    return { http, url: `ws://127.0.0.1:${http.port}` };
  }

  it("Using register(): HTTP and WebSocket on one server", async () => {
    class Runtime extends Registering.RegisterRuntime {
      override compose(): void {
        super.compose();
      }
    }
    const { http, url } = await startComposed(new Runtime());
    const hello = await fetch(`http://127.0.0.1:${http.port}/api/hello`);
    expect(hello.status).toBe(200);
    const { client } = await join(url, "ann");
    expect(await client.outgoing.sendMessage({ text: "a", channelId: "b" })).toMatchObject({ success: true });
  });

  it("Using startServer(): with one more middleware", async () => {
    const seen: string[] = [];
    const { url } = await startHttp((http) => {
      const server = Registering.direct(http, {
        parseHandshake: ({ queryArgs }) => void seen.push(`${queryArgs.room} ${Auth.GG_USER_AUTH.get()?.userId}`),
      });
      expect(server.path).toBe("/ws/chat");
    });
    await join(url, "ann");
    expect(seen).toEqual(["general ann"]);
  });

  it("Multiple WebSocket APIs: each on its path", async () => {
    class Runtime extends Registering.MultipleRuntime {
      override compose(): void {
        super.compose();
      }
    }
    const { url } = await startComposed(new Runtime());
    const { NotificationApi, PresenceApi } = Registering;
    const notifications = closing(NotificationApi.createClient({ url }));
    const presence = closing(PresenceApi.createClient({ url }));
    const { client } = await join(url, "ann");
    await Promise.all([notifications.connect(), presence.connect()]);
    expect(await notifications.outgoing.which()).toBe("notifications");
    expect(await presence.outgoing.which()).toBe("presence");
    expect((await client.outgoing.sendMessage({ text: "a", channelId: "b" })).messageId).toBe("msg-456");
  });
});

describe("Client", () => {
  it("Typed Client via createClient(): the whole example", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const handled = new Queue<string>();
    const answers = new Queue<boolean>();
    const closed = new Queue<string>();
    const { url } = await startHttp((http) =>
      ChatApi.register(
        (incoming, outgoing) => {
          outgoing.onClose(() => closed.push("closed"));
          incoming.on({
            sendMessage: async ({ text, channelId }) => {
              outgoing.newMessage({ id: "1", text, senderId: "ann", timestamp: 7 });
              outgoing.typing({ userId: "bob", channelId });
              answers.push(await outgoing.areYouThere());
              return { success: true, messageId: "msg-456" };
            },
            markAsRead: ({ messageId }) => handled.push(`read ${messageId}`),
            ping: () => handled.push("ping"),
          });
        },
        { http },
      ),
    );
    const showValidationErrors = vi.fn<(issues: (typeof VALIDATION_ERROR.infer)["data"]) => void>();
    const response = await clientExample(url, showValidationErrors, async () => {
      expect(await handled.take(2)).toEqual(["read msg-123", "ping"]);
    });

    expect(response).toEqual({ success: true, messageId: "msg-456" });
    expect(await answers.next()).toBe(true);
    expect(showValidationErrors).toHaveBeenCalledTimes(1);
    expect(showValidationErrors.mock.calls[0]?.[0]).toMatchObject([
      { path: "text", message: "Value must not be empty" },
    ]);
    expect(log.mock.calls).toEqual([
      ["New message:", { id: "1", text: "Hello!", senderId: "ann", timestamp: 7 }],
      ["bob", "is typing"],
      ["Disconnected"],
    ]);
    expect(error).not.toHaveBeenCalled();
    expect(await closed.next()).toBe("closed");
  });

  it("GGSocketPool: a raw socket, the pool, and the query", async () => {
    const queries = new Queue<unknown>();
    const outgoings = new Queue<{
      newMessage(message: Record<keyof Message, unknown> & { timestamp: number }): unknown;
    }>();
    const { url } = await startHttp((http) =>
      ChatApi.register(
        (incoming, outgoing, query) => {
          queries.push(query);
          outgoings.push(outgoing as never);
          incoming.on({
            sendMessage: async ({ text }) => ({ success: true, messageId: `id of ${text}` }),
            markAsRead: () => {},
            ping: () => {},
          });
        },
        { http },
      ),
    );
    const shown = new Queue<unknown>();
    const { socket, result } = await Pool.directSocket(url, (message) => shown.push(message));
    expect(result).toEqual({ success: true, type: "OK", data: { success: true, messageId: "id of Hello!" } });
    expect(await queries.next()).toEqual({});
    const message = { id: "1", text: "a", senderId: "b", timestamp: 3 };
    (await outgoings.next()).newMessage(message);
    expect(await shown.next()).toEqual(message);
    const again = await Pool.directSocket(url, () => {});
    expect(again.socket).toBe(socket);

    const other = await Pool.queryOnConnect(url);
    expect(other).not.toBe(socket);
    expect(await queries.next()).toEqual({ room: "general", language: "en" });

    const removed = socket;
    expect(await Pool.poolManagement()).toMatchObject({ size: 2, pendingSize: 0, keys: { length: 1 } });
    expect(GGSocketPool.size).toBe(0);
    expect(other.isOpen).toBe(false);
    expect(removed.isOpen).toBe(true);
    removed.close();
  });
});

describe("Error Handling", () => {
  it("Contract Errors: thrown in the handler, received as the same class by the caller", async () => {
    const { url } = await startHttp((http) => Errors.ChatApi.register(Errors.handleConnection, { http }));
    const client = closing(Errors.ChatApi.createClient({ url }));
    await client.connect();
    expect(await client.outgoing.joinRoom({ roomId: "free" })).toEqual({ joined: true });
    await expect(client.outgoing.joinRoom({ roomId: "full" })).rejects.toBeInstanceOf(Errors.ROOM_FULL);
    await expect(client.outgoing.joinRoom({ roomId: "nowhere" })).rejects.toBeInstanceOf(NOT_FOUND);
    const result = await client.outgoing.joinRoom({ roomId: "full" }).asResult();
    expect(result.type === "ROOM_FULL" && result.statusCode).toBe(400);
    await expect(client.outgoing.joinRoom({} as never)).rejects.toBeInstanceOf(VALIDATION_ERROR);
  });
});

describe("Context Keys", () => {
  it("hold the connection and the message", async () => {
    const seen = new Queue<unknown>();
    const { http, url } = await startHttp((server) =>
      ChatApi.register(
        (incoming) => {
          seen.push(duringConnection());
          incoming.on({
            sendMessage: async () => ({ success: true, messageId: duringMessage() }),
            markAsRead: () => seen.push([duringMessage(), ...duringConnection()]),
            ping: () => {},
          });
        },
        { http: server },
      ),
    );
    const client = closing(ChatApi.createClient({ url }));
    await client.connect();
    expect(await seen.next()).toEqual([http.port, "/ws/chat"]);
    expect(await client.outgoing.sendMessage({ text: "a", channelId: "b" })).toMatchObject({
      messageId: "ChatApi.sendMessage",
    });
    client.outgoing.markAsRead({ messageId: "a" });
    expect(await seen.next()).toEqual(["ChatApi.markAsRead", http.port, "/ws/chat"]);
  });
});

describe("Metrics", () => {
  it("are those of the README's table, and count", async () => {
    const names = Object.values(GGWebSocketMetrics).map((key) => [key.name, key.type]);
    // Others have come since.
    expect(names.slice(0, 6)).toEqual([
      ["/websocket/connections_active", "gauge"],
      ["/websocket/connections_total", "counter"],
      ["/websocket/requests_total", "counter"],
      ["/websocket/request_duration_ms", "histogram"],
      ["/websocket/out_requests_total", "counter"],
      ["/websocket/out_request_duration_ms", "histogram"],
    ]);
    GG_METRICS.set(new GGMetricsStore());
    const { url } = await startHttp((http) => Builder.ChatApi.register(new ChatService().handleConnection, { http }));
    const { client, messages } = await join(url, "ann");
    await client.outgoing.sendMessage({ text: "a", channelId: "b" });
    await messages.next();
    const labels = { api: "ChatApi", path: "/ws/chat" };
    expect(GGWebSocketMetrics.connectionsActive.getValue(labels)).toBe(1);
    expect(GGWebSocketMetrics.connections.getValue({ ...labels, result: "OK" })).toBe(1);
    const sendMessage = { ...labels, method: "ChatApi.sendMessage" };
    expect(GGWebSocketMetrics.requests.getValue({ ...sendMessage, result: "OK" })).toBe(1);
    expect(GGWebSocketMetrics.requestDuration.getValue(sendMessage)?.count).toBe(1);
    const newMessage = { ...labels, method: "ChatApi.newMessage" };
    expect(GGWebSocketMetrics.outRequests.getValue({ ...newMessage, result: "OK" })).toBe(1);
  });
});

describe("Testing", () => {
  const serveChat = (chatService: ChatService) =>
    startHttp((http) =>
      ChatApi.register((incoming, outgoing) => as("ann", () => chatService.handleConnection(incoming, outgoing)), {
        http,
      }),
    );

  it("the whole example", async () => {
    await serveChat(new ChatService());
    await testingExample();
  });

  it("the whole example, with a server that pushes something else", async () => {
    const chatService = new ChatService();
    const { broadcast } = chatService;
    chatService.broadcast = (channelId, message) => broadcast.call(chatService, channelId, { ...message, text: "Bye" });
    await serveChat(chatService);
    await expect(testingExample()).rejects.toThrow(
      /^ChatApi\.newMessage: the payload is not as expected\n\nExpected to match:\n {2}\{ text: 'Hello' \}\n\nReceived:\n/,
    );
  });
});
