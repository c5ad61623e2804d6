import type { GGWebSocketClient } from "@grest-ts/websocket";

export declare const client: GGWebSocketClient<object, object>;
export declare function showOffline(): void;
