export type { Attachment, Attachments } from "./attachment.ts";
export { SignatureError, type SignatureErrorCode } from "./errors.ts";
export { fetchAttachments } from "./fetch-attachments.ts";
export { signImage } from "./sign.ts";
export { readSignaturePolicy, type SignaturePolicy } from "./signature-policy.ts";
export { generateSigningKey, publicKeyOf, readSigningKey } from "./signing-key.ts";
export type { Refusal, RefusalCode, SignatureVerdict } from "./verdict.ts";
export { type SignedImage, verifySignatures } from "./verify.ts";
