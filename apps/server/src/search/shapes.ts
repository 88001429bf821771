import { Type } from "typebox";
import { ImageItemShape } from "../images/shapes.ts";
import { List } from "../list.ts";
import { PageQuery } from "../paging.ts";

const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength });

export const SearchQueryShape = Type.Object(
  {
    component: Type.Optional(Text(300)),
    ecosystem: Type.Optional(Text(60)),
    range: Type.Optional(Type.String({ maxLength: 300, description: ">=2.0, <2.15.0" })),
    vulnerability: Type.Optional(Text(100)),
  },
  { additionalProperties: false, minProperties: 1 },
);

/** A query, and which page of the images it is about. */
export const SearchPageShape = Type.Object(
  { ...SearchQueryShape.properties, cursor: PageQuery.cursor },
  { additionalProperties: false, minProperties: 1 },
);

const Subject = Type.Object({
  id: Type.Integer(),
  ecosystem: Type.String(),
  name: Type.String(),
  version: Type.String(),
  module: Type.Optional(Type.String()),
});

export const SearchResultShape = Type.Object({
  summary: Type.Object({
    images: Type.Integer(),
    layers: Type.Integer(),
    bases: Type.Integer(),
    owners: Type.Integer(),
    unowned: Type.Integer(),
    repositories: Type.Integer(),
  }),
  images: List(ImageItemShape),
  next: Type.Optional(Type.String({ description: "cursor of the next page of images; the rest is the same" })),
  layers: List(
    Type.Object({ diffId: Type.String(), depth: Type.Integer(), images: Type.Integer(), createdBy: Type.String() }),
  ),
  bases: List(Type.Object({ digest: Type.String(), reference: Type.String(), images: Type.Integer() })),
  owners: List(Type.Object({ id: Type.Integer(), name: Type.String(), email: Type.String(), images: Type.Integer() })),
  repositories: List(
    Type.Object({ id: Type.Integer(), registry: Type.String(), name: Type.String(), images: Type.Integer() }),
  ),
  subjects: List(Subject),
  undetermined: List(Subject),
});
