import { GGHttpServer } from "@grest-ts/http";
import { expect, it } from "vitest";
import { ChatApi } from "./support/chatApi.js";

it("talks", async () => {
  const http = new GGHttpServer({ port: 0 });
  let asked: unknown;
  ChatApi.register(
    (incoming, outgoing) => {
      incoming.on({
        sendMessage: async ({ text }) => {
          await outgoing.newMessage({ id: "1", text, senderId: "u", timestamp: 5 });
          asked = await outgoing.areYouThere();
          return { success: true, messageId: "m1" };
        },
        markAsRead: async () => {},
        ping: async () => {},
      });
    },
    { http },
  );
  await http.start();
  const client = ChatApi.createClient({ url: `ws://localhost:${http.port}` });
  const seen: string[] = [];
  client.incoming.on({ newMessage: (m) => void seen.push(m.text), areYouThere: async () => true });
  await client.connect();
  expect(await client.outgoing.sendMessage({ text: "hi", channelId: "g" })).toEqual({ success: true, messageId: "m1" });
  expect(seen).toEqual(["hi"]);
  expect(asked).toBe(true);
  const bad = await client.outgoing.sendMessage({ text: "", channelId: "g" }).asResult();
  expect(bad.type).toBe("VALIDATION_ERROR");
  await client.disconnect();
  await http.teardown();
});
