// The few globals beyond ECMAScript that pure packages may use: text codecs do no input or output.
// Everything else of Node or the browser is left out on purpose, so that reaching for it fails the type check.

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array): string;
}

declare class TextEncoder {
  encode(input?: string): Uint8Array;
}
