/** The calls of the Kubernetes API that the webhook makes about itself; the agent's connection has them. */
export interface KubeApi {
  /** The answer whatever its status is; throws for none. */
  call(
    method: "GET" | "POST" | "PUT" | "PATCH",
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
}
