import { onTestFinished } from "vitest";
import { Balancer } from "../../tools/cluster/Balancer.js";

/** A way to a server that can be cut, while the server goes on. Closed with its test. */
export class Way {
  #balancer: Balancer;

  private constructor(
    private readonly server: { readonly port: string },
    readonly port: number,
    balancer: Balancer,
  ) {
    this.#balancer = balancer;
    onTestFinished(() => this.cut());
  }

  static async to(server: { readonly port: string }): Promise<Way> {
    const balancer = new Balancer(() => [Number(server.port)]);
    return new Way(server, await balancer.listen(0), balancer);
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  cut(): void {
    this.#balancer.close();
  }

  async mend(): Promise<void> {
    this.#balancer = new Balancer(() => [Number(this.server.port)]);
    await this.#balancer.listen(this.port);
  }
}
