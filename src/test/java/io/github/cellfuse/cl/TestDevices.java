package io.github.cellfuse.cl;

import io.github.cellfuse.implementations.Implementation;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The OpenCL devices that tests run on: every device of this machine that takes source code, or those of one
 * {@link Implementation} in a process that was started for it. Where there is none the tests fail, with the sentence
 * that says how to get one; skipping would look like passing.
 *
 * <p>Use with {@code @ParameterizedTest @MethodSource("io.github.cellfuse.cl.TestDevices#all")}.
 */
public final class TestDevices {
    private TestDevices() {}

    /** Every device that can run the tests; at least one. */
    public static List<ClDevice> list() {
        List<ClDevice> devices = OpenCl.devices().stream()
                .filter(d -> d.capabilities().available()
                        && d.capabilities().compilerAvailable()
                        && d.capabilities().atLeast(1, 2))
                .toList();
        Optional<Implementation> only = Implementation.current();
        if (only.isPresent()) {
            Implementation implementation = only.get();
            if (devices.isEmpty()
                    || !devices.stream().allMatch(d -> d.platformName().equals(implementation.platform()))) {
                throw new AssertionError("the tests need " + implementation + ": " + implementation.advice()
                        + ". Found: " + devices + OpenCl.problems());
            }
        }
        if (devices.isEmpty()) {
            throw new AssertionError("the tests need an OpenCL device: apt install pocl-opencl-icd (Debian, Ubuntu), "
                    + "dnf install pocl (Fedora), brew install pocl (macOS). Found: " + OpenCl.problems());
        }
        return devices;
    }

    /** {@link #list()} for {@code @MethodSource}. */
    public static Stream<ClDevice> all() {
        return list().stream();
    }

    /** One device, for tests of what does not depend on the device. */
    public static ClDevice first() {
        return list().get(0);
    }
}
