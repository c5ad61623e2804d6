import {
  type GGGroupEvent,
  type GGResume,
  type GGResumeOptions,
  type GGWebSocketClientConfig,
  type GGWebSocketTarget,
  resumeGroups,
} from "@grest-ts/websocket";
import { describe, expectTypeOf, it } from "vitest";
import { ExtApi } from "../support/extApi.js";

describe("resumeGroups", () => {
  it("makes what createClient takes, and takes a callback at most", () => {
    ExtApi.createClient({ url: "ws://x", reconnect: true, resume: resumeGroups() });
    expectTypeOf(resumeGroups).parameters.toEqualTypeOf<[options?: GGResumeOptions]>();
    expectTypeOf(resumeGroups).returns.toEqualTypeOf<GGResume>();
    expectTypeOf<GGWebSocketClientConfig["resume"]>().toEqualTypeOf<GGResume | undefined>();
    // @ts-expect-error there is no such option
    resumeGroups({ onGroups() {} });
  });

  it("is the only source of the option, which is none of a connection", () => {
    // @ts-expect-error it is to be called
    ExtApi.createClient({ resume: resumeGroups });
    // @ts-expect-error no object of a program is one
    ExtApi.createClient({ resume: {} });
    // @ts-expect-error nor is true
    ExtApi.createClient({ resume: true });
    expectTypeOf<"resume" extends keyof GGWebSocketTarget ? true : false>().toEqualTypeOf<false>();
  });

  it("says of a group its name, what became of it, and how much was missed", () => {
    resumeGroups({
      onGroup(event) {
        expectTypeOf(event).toEqualTypeOf<GGGroupEvent>();
        expectTypeOf(event).toEqualTypeOf<{
          readonly group: string;
          readonly recovered: boolean | undefined;
          readonly missed: number;
        }>();
      },
    });
    resumeGroups({ onGroup: async ({ recovered }) => void recovered });
    resumeGroups({ onGroup: undefined });
  });
});
