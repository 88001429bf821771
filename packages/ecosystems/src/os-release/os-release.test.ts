import { describe, expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage } from "../testing/analyze.ts";
import { chooseOs, osRelease } from "./os-release.ts";

const UBUNTU = `PRETTY_NAME="Ubuntu 22.04.4 LTS"
VERSION_ID="22.04"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
`;

describe("the os-release analyzer", () => {
  test("reads identity, version, relatives and codename", () => {
    expect(analyze(osRelease, "usr/lib/os-release", UBUNTU).os).toEqual({
      id: "ubuntu",
      versionId: "22.04",
      name: "Ubuntu 22.04.4 LTS",
      idLike: ["debian"],
      codename: "jammy",
    });
  });

  test.each([
    [
      "etc/os-release",
      'NAME="openEuler"\nID="openEuler"\nVERSION_ID="22.03"\nPRETTY_NAME="openEuler 22.03 (LTS-SP1)"',
      "openeuler",
      "22.03",
    ],
    ["etc/os-release", "ID='rhel'\nVERSION_ID='9.3'\nID_LIKE='fedora'", "rhel", "9.3"],
    ["etc/os-release", "ID=wolfi\nVERSION_ID=20230201", "wolfi", "20230201"],
    ["etc/os-release", 'ID="tencentos"\r\nVERSION_ID="3.1"\r\n', "tencentos", "3.1"],
    ["etc/os-release", "NAME=Unnamed", "linux", ""],
    ["etc/alpine-release", "3.19.1\n", "alpine", "3.19.1"],
    ["etc/debian_version", "12.5\n", "debian", "12.5"],
    ["etc/debian_version", "trixie/sid\n", "debian", ""],
    ["etc/redhat-release", "CentOS release 6.10 (Final)\n", "centos", "6.10"],
    ["etc/redhat-release", "Red Hat Enterprise Linux Server release 7.9 (Maipo)\n", "rhel", "7.9"],
    ["etc/oracle-release", "Oracle Linux Server release 8.9\n", "ol", "8.9"],
    ["etc/system-release", "Amazon Linux release 2 (Karoo)\n", "amzn", "2"],
    ["etc/system-release", "Amazon Linux AMI release 2018.03\n", "amzn", "2018.03"],
    ["etc/redhat-release", "TencentOS Server 3.1 (Final)\n", "tencentos", "3.1"],
    ["etc/mariner-release", "CBL-Mariner 2.0.20240101\nMARINER_BUILD_NUMBER=abc\n", "mariner", "2.0.20240101"],
    ["etc/photon-release", "VMware Photon OS 5.0\n", "photon", "5.0"],
    ["etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\n", "ubuntu", "14.04"],
  ])("%s: %j is %s %s", (path, text, id, versionId) => {
    expect(analyze(osRelease, path, text).os).toMatchObject({ id, versionId });
  });

  test("keeps the codename of what is not yet released, and of releases that write it in their version only", () => {
    expect(analyze(osRelease, "etc/debian_version", "trixie/sid").os?.codename).toBe("trixie");
    expect(analyze(osRelease, "etc/os-release", 'ID=debian\nVERSION_ID="8"\nVERSION="8 (jessie)"').os?.codename).toBe(
      "jessie",
    );
  });

  test.each([
    ["etc/os-release", 'ID="a b"'],
    ["etc/redhat-release", "Something Else 1.0"],
    ["etc/alpine-release", "\u0000\u0001"],
    ["etc/debian_version", ""],
  ])("%s without sense (%j) is a problem, not an operating system", (path, text) => {
    const facts = analyze(osRelease, path, text);
    expect(facts.os).toBeUndefined();
    expect(facts.problems).toHaveLength(1);
  });

  test("os-release counts more than the older files, whatever their order in the image", () => {
    const told = ["etc/debian_version", "etc/os-release", "usr/lib/os-release"].map((path, index) => ({
      path,
      os: { id: `os${index}`, versionId: "", name: "" },
    }));
    expect(chooseOs(told)?.id).toBe("os1");
    expect(chooseOs(told.toReversed())?.id).toBe("os1");
    expect(chooseOs([])).toBeUndefined();
  });

  test("damaged bytes never make it throw", () => {
    expectNoThrowOnDamage(osRelease, "etc/os-release", new TextEncoder().encode(UBUNTU), 300);
  });
});
