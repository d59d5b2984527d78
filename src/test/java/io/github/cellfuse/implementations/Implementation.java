package io.github.cellfuse.implementations;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The OpenCL implementations that the tests run on, by name. Each has a process of its own, since each brings an LLVM
 * of another version: {@link ImplementationContract}.
 */
public enum Implementation {
    /** The processor, through LLVM. */
    POCL("Portable Computing Language", "pocl-opencl-icd", Map.of()),
    /** Mesa's OpenCL on its software rasteriser: another compiler, without denormals. */
    RUSTICL("rusticl", "mesa-opencl-icd", Map.of("RUSTICL_ENABLE", "llvmpipe")),
    /**
     * A simulator, which looks at every access to memory. Its options aren't in the key of the program cache, so there
     * is none. Its version 21.10 doesn't know what LLVM makes of {@code restrict} where functions are inlined.
     */
    OCLGRIND("Oclgrind", "oclgrind", Map.of("CELLFUSE_CACHE", "off", "OCLGRIND_BUILD_OPTIONS", "-Drestrict="));

    /** In a process that runs on one implementation: its name. */
    static final String PROPERTY = "cellfuse.implementation";

    /** The names of those that must be there, with commas between; or {@code none}. */
    private static final String WANTED = System.getProperty("cellfuse.implementations", "");

    private final String platform;
    private final String debianPackage;
    private final Map<String, String> environment;

    Implementation(String platform, String debianPackage, Map<String, String> environment) {
        this.platform = platform;
        this.debianPackage = debianPackage;
        this.environment = environment;
    }

    /** The one that this process was started for; empty in a process that takes the devices as it finds them. */
    public static Optional<Implementation> current() {
        return Optional.ofNullable(System.getProperty(PROPERTY)).map(Implementation::named);
    }

    /** Whether the tests must run on it: all of them, unless {@code -Dcellfuse.implementations} lists fewer. */
    public boolean wanted() {
        if (WANTED.strip().equals("none")) {
            return false;
        }
        // An unknown name fails here, rather than leaving one out that was misspelt.
        List<Implementation> list = Arrays.stream(WANTED.split(","))
                .filter(name -> !name.isBlank())
                .map(Implementation::named)
                .toList();
        return list.isEmpty() || list.contains(this);
    }

    private static Implementation named(String name) {
        return Arrays.stream(values())
                .filter(each -> each.toString().equals(name.strip()))
                .findFirst()
                .orElseThrow(() -> new AssertionError(
                        "expected one of " + Arrays.toString(values()) + ", found the implementation '" + name + "'"));
    }

    /** The name of its OpenCL platform. */
    public String platform() {
        return platform;
    }

    /** How to get it. */
    public String advice() {
        return "apt install " + debianPackage + " (bin/setup --tests does it); where it can't be had, "
                + "-Dcellfuse.implementations=... lists the others";
    }

    /** What makes it the only one that a process finds. */
    public Map<String, String> environment() {
        Map<String, String> all = new HashMap<>(environment);
        all.put(
                "OCL_ICD_VENDORS",
                Path.of("src", "test", "opencl", toString()).toAbsolutePath().toString());
        return all;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
