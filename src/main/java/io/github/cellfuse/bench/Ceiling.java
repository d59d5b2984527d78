package io.github.cellfuse.bench;

import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.opencl.tune.Roofline;
import java.util.ArrayList;
import java.util.List;

/**
 * The limits of a device, measured again in every round, because a machine that slows down for a while also lowers its
 * roofline. Not thread safe.
 */
final class Ceiling implements AutoCloseable {
    private static final int LAUNCH_SAMPLES = 5;

    private final DeviceInfo info;
    private final Roofline roofline;
    private final List<Limits> samples = new ArrayList<>();

    Ceiling(Device device) {
        // The java device has no kernels with which its limits could be measured.
        roofline = device instanceof Device.OpenCl opencl ? new Roofline(opencl) : null;
        Device exact = roofline == null ? device : roofline.device();
        info = Device.all().stream()
                .filter(candidate -> candidate.device().equals(exact))
                .findFirst()
                .orElseThrow();
    }

    /** Returns the device with its exact name. */
    Device device() {
        return info.device();
    }

    /** Measures the current limits, which takes about 0.2 s. */
    Limits sample() {
        if (roofline == null) {
            return Limits.UNKNOWN;
        }
        Limits now = new Limits(roofline.fmaPeak(), roofline.copyBandwidth());
        samples.add(now);
        return now;
    }

    /**
     * Returns the limits for a contender. If the measured device is the processor, its limits apply to plain Java, too.
     */
    Limits of(Device device, Limits now) {
        boolean same = device.equals(info.device()) || info.kind() == DeviceInfo.Kind.CPU;
        return same ? now : Limits.UNKNOWN;
    }

    /** Returns a number of bytes that no cache of the device holds, or 0 for the java device. */
    long workingSet() {
        return roofline == null ? 0 : roofline.workingSet();
    }

    /** Returns the medians of all samples, and the values that are measured once. */
    DeviceReport report() {
        if (roofline == null) {
            return new DeviceReport(info, Limits.UNKNOWN, Double.NaN, Double.NaN, Double.NaN, 0);
        }
        if (samples.isEmpty()) {
            sample();
        }
        double[] launches = new double[LAUNCH_SAMPLES], up = launches.clone(), down = launches.clone();
        for (int k = 0; k < LAUNCH_SAMPLES; k++) {
            launches[k] = roofline.launchSeconds();
            double[] host = roofline.hostBandwidth();
            up[k] = host[0];
            down[k] = host[1];
        }
        Limits median = new Limits(
                Rounds.median(
                        samples.stream().mapToDouble(Limits::flopsPerSecond).toArray()),
                Rounds.median(
                        samples.stream().mapToDouble(Limits::bytesPerSecond).toArray()));
        return new DeviceReport(
                info, median, Rounds.median(launches), Rounds.median(up), Rounds.median(down), roofline.workingSet());
    }

    @Override
    public void close() {
        if (roofline != null) {
            roofline.close();
        }
    }
}
