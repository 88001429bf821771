/** What a scan is doing, for people who wait. */
export interface ScanProgress {
  /** Layers whose report is there, from the cache or read just now. */
  readonly layersDone: number;
  readonly layers: number;
  readonly layersCached: number;
  /** Bytes of layer blobs read so far, and the sum of those that have to be read. */
  readonly bytesRead: number;
  readonly bytesTotal: number;
}
