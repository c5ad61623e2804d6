import cluster from "node:cluster";
import type { GGBus } from "../api/bus.js";
import { localBusOn } from "../groups/localBus.js";
import { Host } from "./host.js";
import { WorkerBus } from "./workerBus.js";

let host: Host | undefined;
let busesOfHost = 0;

/**
 * A bus between the processes of one `node:cluster`, over the connections that these have anyway. It needs nothing else on
 * the machine. The primary process keeps what is kept: it has to call this too, before or after its workers, and what it
 * keeps ends with it. A worker's bus is down until then. Elsewhere it is a bus of this process alone.
 *
 * A process may call it several times: each bus is a node of its own. A bus does not keep its process alive.
 */
export function clusterBus(): GGBus {
  if (cluster.isWorker) return new WorkerBus();
  const shared = host ?? new Host();
  host = shared;
  busesOfHost++;
  return localBusOn(shared.engine, "cluster", () => {
    if (--busesOfHost > 0) return;
    host = undefined;
    shared.close();
  });
}
