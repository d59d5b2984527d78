package io.github.cellfuse.cl;

import java.util.Optional;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;

/** A device of a platform: a value that is valid for the life of the process. Thread safe. */
public final class ClDevice {
    private final int platformIndex;
    private final int index;
    private final String platformName;
    private final String platformVersion;
    private final Capabilities capabilities;
    private final cl_platform_id platformId;
    private final cl_device_id deviceId;

    ClDevice(
            int platformIndex,
            int index,
            String platformName,
            String platformVersion,
            Capabilities capabilities,
            cl_platform_id platformId,
            cl_device_id deviceId) {
        this.platformIndex = platformIndex;
        this.index = index;
        this.platformName = platformName;
        this.platformVersion = platformVersion;
        this.capabilities = capabilities;
        this.platformId = platformId;
        this.deviceId = deviceId;
    }

    /** Returns the indexes of the platform and of the device, such as {@code "0.1"}. */
    public String id() {
        return platformIndex + "." + index;
    }

    /** Returns the index of its platform in {@link OpenCl#platforms()}. */
    public int platformIndex() {
        return platformIndex;
    }

    /** Returns its index among its platform's devices. */
    public int index() {
        return index;
    }

    /** Returns the name of its platform. */
    public String platformName() {
        return platformName;
    }

    /** Returns the version of its platform. */
    public String platformVersion() {
        return platformVersion;
    }

    /** Returns what the device can do. */
    public Capabilities capabilities() {
        return capabilities;
    }

    /**
     * Returns what puts this process at risk when it uses the device, and what to do; empty if nothing does. The log
     * has the same, but a program may have no log.
     */
    public Optional<String> warning() {
        return SignalChaining.warning(platformName);
    }

    /**
     * Returns whether the driver keeps compiled kernels on disk and would compile them a second time to hand them out.
     * PoCL does: it compiles a kernel for the sizes that it is launched with, and a program's binary needs all kernels
     * of the program, for any size. Storing the binaries would double the time of a first run, and save later runs less
     * than a tenth of a second.
     */
    boolean keepsPrograms() {
        return capabilities.version().contains("PoCL");
    }

    /** Opens a context on this device; see {@link ClContext#open}. */
    public ClContext open() {
        return ClContext.open(this);
    }

    cl_platform_id platformId() {
        return platformId;
    }

    cl_device_id deviceId() {
        return deviceId;
    }

    /** Returns the id and the name, such as {@code "opencl:0.0 (pthread-…)"}. */
    @Override
    public String toString() {
        return "opencl:" + id() + " (" + capabilities.name() + ")";
    }
}
