export { type App, type AppDeps, createApp } from "./app.ts";
