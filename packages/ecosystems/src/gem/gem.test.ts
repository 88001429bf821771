import { expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage } from "../testing/analyze.ts";
import { gemInstalled, gemLock } from "./gem.ts";

test("a specification names the installed gem", () => {
  const text = `# -*- encoding: utf-8 -*-
Gem::Specification.new do |s|
  s.name = "rest-client".freeze
  s.version = "1.6.10"
  s.license = "MIT".freeze
  s.add_dependency("other".freeze, "= 2.0")
end
`;
  expect(analyze(gemInstalled, "usr/lib/ruby/specifications/rest-client-1.6.10.gemspec", text).packages).toEqual([
    { type: "gem", namespace: "", name: "rest-client", version: "1.6.10", evidence: "installed", licenses: ["MIT"] },
  ]);
});

test("Gemfile.lock gives the resolved gems, not their requirements nor those of other sources", () => {
  const lock = `PATH
  remote: .
  specs:
    local (0.1.0)

GEM
  remote: https://rubygems.org/
  specs:
    nokogiri (1.13.0-x86_64-linux)
      racc (~> 1.4)
    rails (6.0.0)
    google-protobuf (3.25.0-ppc64le-linux)

PLATFORMS
  ruby
`;
  const { packages = [] } = analyze(gemLock, "Gemfile.lock", lock);
  expect(packages.map(({ name, version }) => `${name}@${version}`)).toEqual([
    "nokogiri@1.13.0",
    "rails@6.0.0",
    "google-protobuf@3.25.0",
  ]);
  expectNoThrowOnDamage(gemLock, "Gemfile.lock", new TextEncoder().encode(lock), 100);
});
