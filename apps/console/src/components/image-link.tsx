import { Link } from "react-router";
import { useSpeech } from "../i18n/language.tsx";
import { SafeText } from "./safe-text.tsx";

interface Props {
  readonly image: string;
  readonly digest: string;
  /** Null while Bulwark does not know the image. */
  readonly imageId: number | null;
}

/** The image of a container: linked to its findings, or said to be one whose findings nobody knows. */
export function ImageLink({ image, digest, imageId }: Props) {
  const { t } = useSpeech();
  const name = image === "" ? digest : image;
  if (imageId !== null) {
    return (
      <Link to={`/images/${encodeURIComponent(digest)}`}>
        <SafeText value={name} wrap />
      </Link>
    );
  }
  return (
    <>
      <SafeText value={name} wrap />
      {name === "" ? null : <p className="quiet">{t("place.imageUnknown")}</p>}
    </>
  );
}
