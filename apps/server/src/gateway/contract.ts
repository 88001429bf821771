import protobuf from "protobufjs";

/**
 * All numbers of the contracts fit 53 bits: without its helper for longer ones the library reads them as plain numbers,
 * which is what makes three million events per second and core possible.
 */
protobuf.util.Long = undefined as unknown as typeof protobuf.util.Long;
protobuf.configure();

/** One kind of message: bytes in, object out, and back. Fields that were not sent read as zero, empty or null. */
export interface Codec<Message> {
  /** @throws when the bytes are not of this message */
  decode(bytes: Uint8Array): Message;
  encode(message: DeepPartial<Message>): Buffer;
}

/** What is left out is not sent. */
export type DeepPartial<Value> = Value extends Uint8Array
  ? Value
  : Value extends readonly (infer Item)[]
    ? readonly DeepPartial<Item>[]
    : Value extends object
      ? { readonly [Key in keyof Value]?: DeepPartial<Value[Key]> }
      : Value;

/** A contract of proto/, loaded. */
export interface Contract {
  readonly root: protobuf.Root;
  /** @param name of a message of the contract's package */
  codec<Message>(name: string): Codec<Message>;
}

/** @param packageName `bulwark.sensor.v1` */
export function loadContract(file: string, packageName: string): Contract {
  const root = protobuf.loadSync(file);
  root.resolveAll();
  return {
    root,
    codec<Message>(name: string): Codec<Message> {
      const type = root.lookupType(`${packageName}.${name}`);
      return {
        decode: (bytes) => type.decode(bytes) as unknown as Message,
        encode: (message) => Buffer.from(type.encode(message as Record<string, unknown>).finish()),
      };
    },
  };
}

/** A method of a service, for servers and clients of gRPC. @param path `bulwark.sensor.v1.Gateway/Connect` */
export function method<Request, Response>(
  path: string,
  request: Codec<Request>,
  response: Codec<Response>,
  streams: boolean,
) {
  return {
    path: `/${path}`,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: request.encode,
    requestDeserialize: request.decode,
    responseSerialize: response.encode,
    responseDeserialize: response.decode,
  };
}
