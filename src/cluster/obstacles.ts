import { GGBusError, type GGBusErrorReason } from "../api/bus.js";

/** Why a worker's bus cannot do anything. */
export interface Obstacle {
  readonly reason: GGBusErrorReason;
  readonly message: string;
  /** Whether it stays. */
  readonly isFinal: boolean;
}

export const NO_BUS: Obstacle = {
  reason: "down",
  message: "the primary process of the cluster has no bus: call clusterBus() there too; under PM2 use redisBus",
  isFinal: false,
};

export const BUS_CLOSED: Obstacle = {
  reason: "down",
  message: "the primary process of the cluster has closed its bus",
  isFinal: false,
};

export const PRIMARY_GONE: Obstacle = {
  reason: "down",
  message: "the primary process of the cluster is not reached any more",
  isFinal: true,
};

export const CLOSED: Obstacle = { reason: "closed", message: "it was closed", isFinal: true };

export const errorOf = ({ reason, message }: Obstacle): GGBusError => new GGBusError(message, reason);
