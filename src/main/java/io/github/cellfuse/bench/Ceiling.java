package io.github.cellfuse.bench;

import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.opencl.tune.Roofline;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The limits of a device, measured again around everything that is timed, because a machine that slows down for a while
 * also lowers its roofline. Not thread safe.
 *
 * <p>The bandwidth is that of as many bytes as the measured work moves: few stay in a cache, which is faster than the
 * memory.
 */
final class Ceiling implements AutoCloseable {
    /** How often the limits are measured that no result is compared with. */
    private static final int SAMPLES = 5;

    /**
     * What was measured at one time.
     *
     * @param flopsPerSecond the multiply-add peak
     * @param bandwidths the bandwidth in bytes per second, by the bytes that were read and written
     */
    record Sample(double flopsPerSecond, Map<Long, Double> bandwidths) {}

    private final DeviceInfo info;
    private final Roofline roofline;
    private final List<Double> peaks = new ArrayList<>();

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

    /** Returns whether the device is the processor that everything else on this machine uses, too. */
    boolean isProcessor() {
        return info.kind() == DeviceInfo.Kind.CPU;
    }

    /** Measures the multiply-add peak; NaN for the java device. */
    double peak() {
        return sample(List.of()).flopsPerSecond();
    }

    /** Measures the current limits of {@code works}, which takes 0.05 s, and 0.03 s or more for each size of them. */
    Sample sample(Collection<Work> works) {
        if (roofline == null) {
            return new Sample(Double.NaN, Map.of());
        }
        Map<Long, Double> bandwidths = new HashMap<>();
        works.forEach(work -> bandwidths.computeIfAbsent(copiedBytes(work), roofline::copyBandwidth));
        double peak = roofline.fmaPeak();
        peaks.add(peak);
        return new Sample(peak, bandwidths);
    }

    /**
     * Returns the share of the limits that {@code work} reached: of the better ones of two samples, because whatever
     * else the machine does can only make a limit look lower.
     *
     * @param device a device other than the measured one has known limits only if the latter is the processor
     */
    double share(Device device, Work work, double seconds, Sample before, Sample after) {
        if (roofline == null || !(device.equals(info.device()) || isProcessor())) {
            return Double.NaN;
        }
        long bytes = copiedBytes(work);
        Limits best = new Limits(
                Math.max(before.flopsPerSecond(), after.flopsPerSecond()),
                Math.max(before.bandwidths().get(bytes), after.bandwidths().get(bytes)));
        return best.share(work, seconds);
    }

    /** Returns the same for work on the measured device. */
    double share(Work work, double seconds, Sample before, Sample after) {
        return share(info.device(), work, seconds, before, after);
    }

    /** Returns the size of the copy to compare with: at most the bytes of {@code work}, so that few sizes do. */
    private long copiedBytes(Work work) {
        return Math.min(workingSet(), Long.highestOneBit((long) work.bytes()));
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
        double[] copies = new double[SAMPLES], launches = copies.clone(), up = copies.clone(), down = copies.clone();
        for (int k = 0; k < SAMPLES; k++) {
            peaks.add(roofline.fmaPeak());
            copies[k] = roofline.copyBandwidth();
            launches[k] = roofline.launchSeconds();
            double[] host = roofline.hostBandwidth();
            up[k] = host[0];
            down[k] = host[1];
        }
        Limits median = new Limits(
                Rounds.median(peaks.stream().mapToDouble(Double::doubleValue).toArray()), Rounds.median(copies));
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
