package io.github.cellfuse.cl;

import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;

/** One device of one platform: a value, valid for the life of the process and safe to share. */
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

    /** Its place in {@link OpenCl#platforms()} and in its platform's devices, such as {@code "0.1"}. */
    public String id() {
        return platformIndex + "." + index;
    }

    /** The index of its platform in {@link OpenCl#platforms()}. */
    public int platformIndex() {
        return platformIndex;
    }

    /** Its index among its platform's devices. */
    public int index() {
        return index;
    }

    /** The name of its platform. */
    public String platformName() {
        return platformName;
    }

    /** The version of its platform. */
    public String platformVersion() {
        return platformVersion;
    }

    /** What the device can do. */
    public Capabilities capabilities() {
        return capabilities;
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

    /** The id and the name, such as {@code "opencl:0.0 (pthread-…)"}. */
    @Override
    public String toString() {
        return "opencl:" + id() + " (" + capabilities.name() + ")";
    }
}
