/** A server of the test kit's API in a process of its own. Writes its port when it listens. */
import { GGHttpServer } from "@grest-ts/http";
import { KitApi, Room } from "../../testkit/api.js";

const http = new GGHttpServer({ port: 0 });
KitApi.register(new Room().handle, { http });
await http.start();
console.log(http.port);
