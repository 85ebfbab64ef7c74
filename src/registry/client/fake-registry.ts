import { digestOf } from "../../formats/digest.ts";
import type { Descriptor } from "../../formats/oci-image.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly range: string | null;
}

/** Undefined: the registry answers as a good one would. */
export type Script = (
  request: Request,
  seen: SeenRequest,
) => Response | undefined | Promise<Response | undefined>;

/** For tests: a registry in this process, on loopback, that can be told to misbehave. */
export class FakeRegistry implements Disposable {
  readonly requests: SeenRequest[] = [];
  private readonly blobs = new Map<string, Uint8Array>();
  private readonly manifests = new Map<string, { bytes: Uint8Array; mediaType: string }>();
  private readonly server: Bun.Server<undefined>;

  constructor(private readonly script: Script = () => undefined) {
    this.server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => this.answer(request) });
  }

  get host(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  addBlob(bytes: Uint8Array, mediaType = "application/octet-stream"): Descriptor {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  addManifest(tag: string, mediaType: string, document: unknown): Descriptor {
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const digest = digestOf(bytes);
    for (const name of [tag, digest]) this.manifests.set(name, { bytes, mediaType });
    return { mediaType, digest, size: bytes.length };
  }

  private async answer(request: Request): Promise<Response> {
    const seen = {
      method: request.method,
      path: new URL(request.url).pathname + new URL(request.url).search,
      authorization: request.headers.get("authorization"),
      range: request.headers.get("range"),
    };
    this.requests.push(seen);
    return (await this.script(request, seen)) ?? this.answerWell(seen);
  }

  private answerWell({ method, path, range }: SeenRequest): Response {
    const [, kind, name = ""] = /^\/v2\/.+\/(manifests|blobs)\/([^/?]+)(?:\?.*)?$/.exec(path) ?? [];
    const manifest = kind === "manifests" ? this.manifests.get(name) : undefined;
    const blob = kind === "blobs" ? this.blobs.get(name) : undefined;
    if (manifest) {
      const headers = {
        "content-type": manifest.mediaType,
        "docker-content-digest": digestOf(manifest.bytes),
        "content-length": String(manifest.bytes.length),
      };
      return new Response(method === "HEAD" ? null : manifest.bytes, { headers });
    }
    if (blob) return blobResponse(blob, range);
    const code = kind === "manifests" ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN";
    return errorResponse(404, code, code.toLowerCase().replace("_", " "));
  }

  [Symbol.dispose](): void {
    this.server.stop(true);
  }
}

export function errorResponse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ errors: [{ code, message }] }, { status, headers });
}

export function blobResponse(bytes: Uint8Array, range: string | null): Response {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  if (start === 0) return new Response(bytes);
  const headers = { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  return new Response(bytes.slice(start), { status: 206, headers });
}

/** A raw server for what a well-behaved HTTP library refuses to send: each connection gets `answer`, and is closed. */
export function rawServer(answer: (request: string) => string | Uint8Array | undefined): {
  readonly host: string;
  readonly connections: () => number;
} & Disposable {
  let connections = 0;
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: () => {
        connections++;
      },
      data: (socket, data) => {
        const bytes = answer(data.toString("latin1"));
        if (bytes === undefined) return;
        socket.write(bytes);
        // Bun loses bytes of a body that arrive together with the end of the connection.
        setTimeout(() => socket.end(), 10);
      },
    },
  });
  return {
    host: `127.0.0.1:${server.port}`,
    connections: () => connections,
    [Symbol.dispose]: () => server.stop(true),
  };
}
