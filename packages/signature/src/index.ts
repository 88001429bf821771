export type { Attachment, Attachments } from "./attachment.ts";
export { SignatureError, type SignatureErrorCode } from "./errors.ts";
export { fetchAttachments } from "./fetch-attachments.ts";
export { generateSigningKey, publicKeyOf, readSigningKey, signImage } from "./sign.ts";
export { readSignaturePolicy, type SignaturePolicy } from "./signature-policy.ts";
export type { Refusal, RefusalCode, SignatureVerdict, VerifiedSignature } from "./verdict.ts";
export { type SignedImage, verifySignatures } from "./verify.ts";
