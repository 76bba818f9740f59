;; What is done to every page of 4096 bytes, in one memory with guest RAM: XBZRLE (xbzrle.md §2) and runs of records of the
;; `ram` section (stream-format.md §5.2). scripts/compile-wat.mjs makes ram-kernel-code.ts of this file. xbzrle-encode.ts,
;; xbzrle-decode.ts, RamRecordWriter and RamSectionReader do the same in TypeScript, a page or record at a time.
;; Up to 32 bytes behind what is given to read, and 16 behind a page, may be read, or written with what they hold.
(module
  (memory (import "qmpspec" "memory") 1)

  ;; One bit for each of the 64 bytes at $a and $b, set where they differ. Bit 0 stands for the first byte.
  (func $differences (param $a i32) (param $b i32) (result i64)
    (i64.xor
      (i64.const -1)
      (i64.or
        (i64.or
          (i64.extend_i32_u
            (i8x16.bitmask (i8x16.eq (v128.load (local.get $a)) (v128.load (local.get $b)))))
          (i64.shl
            (i64.extend_i32_u
              (i8x16.bitmask (i8x16.eq (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $b)))))
            (i64.const 16)))
        (i64.or
          (i64.shl
            (i64.extend_i32_u
              (i8x16.bitmask (i8x16.eq (v128.load offset=32 (local.get $a)) (v128.load offset=32 (local.get $b)))))
            (i64.const 32))
          (i64.shl
            (i64.extend_i32_u
              (i8x16.bitmask (i8x16.eq (v128.load offset=48 (local.get $a)) (v128.load offset=48 (local.get $b)))))
            (i64.const 48))))))

  ;; Writes a run's length at $at; returns where it ends.
  (func $length (param $at i32) (param $value i32) (result i32)
    (if (i32.lt_u (local.get $value) (i32.const 128))
      (then
        (i32.store8 (local.get $at) (local.get $value))
        (return (i32.add (local.get $at) (i32.const 1)))))
    (i32.store16
      (local.get $at)
      (i32.or
        (i32.or (i32.and (local.get $value) (i32.const 127)) (i32.const 128))
        (i32.shl (i32.shr_u (local.get $value) (i32.const 7)) (i32.const 8))))
    (i32.add (local.get $at) (i32.const 2)))

  ;; Writes the delta from the page at $old to the page at $new to $out.
  ;; Returns the delta's length, 0 for equal pages, -1 for a delta of more than $limit bytes.
  (func (export "encode") (param $old i32) (param $new i32) (param $out i32) (param $limit i32) (result i32)
    (local $i i32)      ;; position in the page
    (local $at i32)     ;; where the next byte of the delta goes
    (local $last i32)   ;; highest $at at which a run may begin
    (local $end i32)    ;; behind the last byte that may be written
    (local $start i32)  ;; where the present run begins
    (local $from i32)   ;; copying: where in the new page
    (local $block i64)  ;; differences of the 64 bytes that hold position $i
    (local $bits i64)   ;; those from position $i on
    (local.set $at (local.get $out))
    (local.set $end (i32.add (local.get $out) (local.get $limit)))
    (local.set $last (i32.sub (local.get $end) (i32.const 2)))
    (local.set $block (call $differences (local.get $old) (local.get $new)))
    (loop $runs
      (if (i32.gt_s (local.get $at) (local.get $last)) (then (return (i32.const -1))))

      ;; Equal bytes.
      (local.set $start (local.get $i))
      (local.set $bits
        (i64.shr_u (local.get $block) (i64.extend_i32_u (i32.and (local.get $i) (i32.const 63)))))
      (block $differs
        (br_if $differs (i64.ne (local.get $bits) (i64.const 0)))
        (local.set $i (i32.and (i32.add (local.get $i) (i32.const 64)) (i32.const -64)))
        (loop $blocks
          (if (i32.eq (local.get $i) (i32.const 4096))
            (then
              (return (i32.sub (local.get $at) (local.get $out)))))
          (if
            (i32.eqz
              (v128.any_true
                (v128.or
                  (v128.or
                    (v128.xor
                      (v128.load (i32.add (local.get $old) (local.get $i)))
                      (v128.load (i32.add (local.get $new) (local.get $i))))
                    (v128.xor
                      (v128.load offset=16 (i32.add (local.get $old) (local.get $i)))
                      (v128.load offset=16 (i32.add (local.get $new) (local.get $i)))))
                  (v128.or
                    (v128.xor
                      (v128.load offset=32 (i32.add (local.get $old) (local.get $i)))
                      (v128.load offset=32 (i32.add (local.get $new) (local.get $i))))
                    (v128.xor
                      (v128.load offset=48 (i32.add (local.get $old) (local.get $i)))
                      (v128.load offset=48 (i32.add (local.get $new) (local.get $i))))))))
            (then
              (local.set $i (i32.add (local.get $i) (i32.const 64)))
              (br $blocks))))
        (local.set $block
          (call $differences
            (i32.add (local.get $old) (local.get $i))
            (i32.add (local.get $new) (local.get $i))))
        (local.set $bits (local.get $block)))
      (local.set $i (i32.add (local.get $i) (i32.wrap_i64 (i64.ctz (local.get $bits)))))
      (local.set $at (call $length (local.get $at) (i32.sub (local.get $i) (local.get $start))))
      (if (i32.gt_s (local.get $at) (local.get $last)) (then (return (i32.const -1))))

      ;; Different bytes.
      (local.set $start (local.get $i))
      (block $equals
        (loop $blocks
          (local.set $bits
            (i64.shr_u
              (i64.xor (local.get $block) (i64.const -1))
              (i64.extend_i32_u (i32.and (local.get $i) (i32.const 63)))))
          (br_if $equals (i64.ne (local.get $bits) (i64.const 0)))
          (local.set $i (i32.and (i32.add (local.get $i) (i32.const 64)) (i32.const -64)))
          (br_if $equals (i32.eq (local.get $i) (i32.const 4096)))
          (local.set $block
            (call $differences
              (i32.add (local.get $old) (local.get $i))
              (i32.add (local.get $new) (local.get $i))))
          (br $blocks)))
      (if (i64.ne (local.get $bits) (i64.const 0))
        (then (local.set $i (i32.add (local.get $i) (i32.wrap_i64 (i64.ctz (local.get $bits)))))))
      (local.set $at (call $length (local.get $at) (i32.sub (local.get $i) (local.get $start))))
      (local.set $from (i32.add (local.get $new) (local.get $start)))
      (local.set $start (i32.sub (local.get $i) (local.get $start)))
      (if (i32.gt_s (i32.add (local.get $at) (local.get $start)) (local.get $end)) (then (return (i32.const -1))))
      ;; $start is now the bytes left to copy, 16 at a time.
      (loop $copy
        (v128.store (local.get $at) (v128.load (local.get $from)))
        (if (i32.gt_u (local.get $start) (i32.const 16))
          (then
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $start (i32.sub (local.get $start) (i32.const 16)))
            (br $copy))))
      (local.set $at (i32.add (local.get $at) (local.get $start)))
      (br_if $runs (i32.lt_u (local.get $i) (i32.const 4096))))
    (i32.sub (local.get $at) (local.get $out)))

  ;; Applies the $length bytes of the delta at $delta to the page at $page.
  ;; Returns the position behind the last changed byte, 0 for an empty delta, -1 for a malformed one.
  (func $decode (export "decode") (param $delta i32) (param $length i32) (param $page i32) (result i32)
    (local $in i32)     ;; where the next byte of the delta is
    (local $end i32)    ;; where the delta ends
    (local $d i32)      ;; position in the page
    (local $run i32)
    (local $from i32)
    (local $to i32)
    (local.set $in (local.get $delta))
    (local.set $end (i32.add (local.get $delta) (local.get $length)))
    (block $done
      (loop $runs
        (br_if $done (i32.ge_u (local.get $in) (local.get $end)))

        ;; Bytes to keep: none only at the very beginning.
        (if (i32.lt_s (i32.sub (local.get $end) (local.get $in)) (i32.const 2)) (then (return (i32.const -1))))
        (local.set $run (i32.load8_u (local.get $in)))
        (if (i32.lt_u (local.get $run) (i32.const 128))
          (then
            (if (i32.eqz (local.get $run))
              (then (if (i32.ne (local.get $in) (local.get $delta)) (then (return (i32.const -1))))))
            (local.set $in (i32.add (local.get $in) (i32.const 1))))
          (else
            (if (i32.gt_u (i32.load8_u offset=1 (local.get $in)) (i32.const 127)) (then (return (i32.const -1))))
            (local.set $run
              (i32.or
                (i32.and (local.get $run) (i32.const 127))
                (i32.shl (i32.load8_u offset=1 (local.get $in)) (i32.const 7))))
            (if (i32.eqz (local.get $run))
              (then (if (i32.ne (local.get $in) (local.get $delta)) (then (return (i32.const -1))))))
            (local.set $in (i32.add (local.get $in) (i32.const 2)))))
        (local.set $d (i32.add (local.get $d) (local.get $run)))
        (if (i32.gt_u (local.get $d) (i32.const 4096)) (then (return (i32.const -1))))

        ;; Bytes to change: at least one.
        (if (i32.lt_s (i32.sub (local.get $end) (local.get $in)) (i32.const 2)) (then (return (i32.const -1))))
        (local.set $run (i32.load8_u (local.get $in)))
        (if (i32.lt_u (local.get $run) (i32.const 128))
          (then (local.set $in (i32.add (local.get $in) (i32.const 1))))
          (else
            (if (i32.gt_u (i32.load8_u offset=1 (local.get $in)) (i32.const 127)) (then (return (i32.const -1))))
            (local.set $run
              (i32.or
                (i32.and (local.get $run) (i32.const 127))
                (i32.shl (i32.load8_u offset=1 (local.get $in)) (i32.const 7))))
            (local.set $in (i32.add (local.get $in) (i32.const 2)))))
        (if (i32.eqz (local.get $run)) (then (return (i32.const -1))))
        (if (i32.gt_u (i32.add (local.get $d) (local.get $run)) (i32.const 4096)) (then (return (i32.const -1))))
        (if (i32.gt_s (local.get $run) (i32.sub (local.get $end) (local.get $in))) (then (return (i32.const -1))))
        (local.set $from (local.get $in))
        (local.set $to (i32.add (local.get $page) (local.get $d)))
        (local.set $in (i32.add (local.get $in) (local.get $run)))
        (local.set $d (i32.add (local.get $d) (local.get $run)))
        (block $copied
          (loop $copy
            (br_if $copied (i32.lt_u (local.get $run) (i32.const 16)))
            (v128.store (local.get $to) (v128.load (local.get $from)))
            (local.set $to (i32.add (local.get $to) (i32.const 16)))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $run (i32.sub (local.get $run) (i32.const 16)))
            (br $copy)))
        ;; The last bytes without a branch for each length: those behind the run are written as they are.
        (v128.store
          (local.get $to)
          (v128.bitselect
            (v128.load (local.get $from))
            (v128.load (local.get $to))
            (i8x16.lt_s
              (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
              (i8x16.splat (local.get $run)))))
        (br $runs)))
    (local.get $d))

  ;; The bytes of $value in the opposite order.
  (func $swapped (param $value i32) (result i32)
    (i32.or
      (i32.and (i32.rotl (local.get $value) (i32.const 8)) (i32.const 0x00ff00ff))
      (i32.and (i32.rotr (local.get $value) (i32.const 8)) (i32.const 0xff00ff00))))

  ;; 1 if the page at $page holds only zeros.
  (func $is_zero (param $page i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $page) (i32.const 4096)))
    (loop $blocks
      (if
        (v128.any_true
          (v128.or
            (v128.or (v128.load (local.get $page)) (v128.load offset=16 (local.get $page)))
            (v128.or (v128.load offset=32 (local.get $page)) (v128.load offset=48 (local.get $page)))))
        (then (return (i32.const 0))))
      (local.set $page (i32.add (local.get $page) (i32.const 64)))
      (br_if $blocks (i32.lt_u (local.get $page) (local.get $end))))
    (i32.const 1))

  ;; Writes to $out the records of $count pages that lie behind each other from $page on, the first at $offset of the block
  ;; of the record before: ZERO (2) or PAGE (8), each with CONTINUE (32). Returns where the records end.
  (func (export "pages") (param $page i32) (param $count i32) (param $offset i32) (param $out i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $page) (i32.shl (local.get $count) (i32.const 12))))
    (loop $pages
      (i32.store (local.get $out) (i32.const 0))
      (if (call $is_zero (local.get $page))
        (then
          (i32.store offset=4 (local.get $out) (call $swapped (i32.or (local.get $offset) (i32.const 34))))
          (i32.store8 offset=8 (local.get $out) (i32.const 0))
          (local.set $out (i32.add (local.get $out) (i32.const 9))))
        (else
          (i32.store offset=4 (local.get $out) (call $swapped (i32.or (local.get $offset) (i32.const 40))))
          (memory.copy (i32.add (local.get $out) (i32.const 8)) (local.get $page) (i32.const 4096))
          (local.set $out (i32.add (local.get $out) (i32.const 4104)))))
      (local.set $offset (i32.add (local.get $offset) (i32.const 4096)))
      (local.set $page (i32.add (local.get $page) (i32.const 4096)))
      (br_if $pages (i32.ne (local.get $page) (local.get $end))))
    (local.get $out))

  ;; Applies records at $in that are whole before $end, carry PAGE (8), ZERO (2) with the fill byte 0, or XBZRLE (64), with
  ;; CONTINUE (32), and break no rule, to the block of $length bytes at $block; stops before the first other one. Puts runs
  ;; of pages that follow one another into the table at $table, at most $most: the address of the first with its flags, how
  ;; many there are; and behind the last run where it stopped. Returns how many runs there were.
  (func (export "records")
    (param $in i32) (param $end i32) (param $block i32) (param $length i32) (param $table i32) (param $most i32)
    (result i32)
    (local $begin i32)  ;; where the table begins
    (local $count i32)  ;; length of the last run
    (local $next i32)   ;; what the header has to be to prolong the last run
    (local $header i32) ;; low half of the record's first field
    (local $flags i32)
    (local $address i32)
    (local $page i32)   ;; where the page lies
    (local $size i32)   ;; bytes of the record
    (local $left i32)   ;; bytes from the record on
    (local $delta i32)  ;; the first bytes of a short delta
    (local $keep i32)   ;; what it says: so many bytes stay
    (local $change i32) ;; and then so many are those
    (local $from i32)   ;; that lie here
    (local.set $begin (local.get $table))
    (local.set $most (i32.add (local.get $table) (i32.shl (local.get $most) (i32.const 3))))
    (block $done
      (loop $records
        (local.set $left (i32.sub (local.get $end) (local.get $in)))
        ;; Each kind of record sees below whether it is there as a whole.
        (br_if $done (i32.load (local.get $in)))
        ;; As $swapped: a call for each record would be felt.
        (local.set $header (i32.load offset=4 (local.get $in)))
        (local.set $header
          (i32.or
            (i32.and (i32.rotl (local.get $header) (i32.const 8)) (i32.const 0x00ff00ff))
            (i32.and (i32.rotr (local.get $header) (i32.const 8)) (i32.const 0xff00ff00))))
        (local.set $flags (i32.and (local.get $header) (i32.const 0xfff)))
        (local.set $address (i32.and (local.get $header) (i32.const 0xfffff000)))
        (br_if $done (i32.ge_u (local.get $address) (local.get $length)))
        (local.set $page (i32.add (local.get $block) (local.get $address)))
        (block $applied
          (if (i32.eq (local.get $flags) (i32.const 96))
            (then
              ;; The delta of a guest that counts somewhere: some bytes to keep, and then up to 16 to change. Others, and whatever
              ;; breaks a rule, are looked at again below. Encoding and length are read as one number.
              (block $other
                (local.set $size (i32.load offset=8 (local.get $in)))
                (br_if $other (i32.ne (i32.and (local.get $size) (i32.const 0xffff)) (i32.const 1)))
                (local.set $size
                  (i32.add (i32.and (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 0xff)) (i32.const 11)))
                (br_if $other (i32.gt_s (local.get $size) (local.get $left)))
                (local.set $delta (i32.load offset=11 (local.get $in)))
                (local.set $keep (i32.and (local.get $delta) (i32.const 127)))
                (local.set $from (i32.add (local.get $in) (i32.const 13)))
                (if (i32.and (local.get $delta) (i32.const 128))
                  (then
                    (br_if $other (i32.and (local.get $delta) (i32.const 0x8000)))
                    (local.set $keep
                      (i32.or
                        (local.get $keep)
                        (i32.and (i32.shr_u (local.get $delta) (i32.const 1)) (i32.const 0x3f80))))
                    (local.set $delta (i32.shr_u (local.get $delta) (i32.const 8)))
                    (local.set $from (i32.add (local.get $in) (i32.const 14)))))
                (local.set $change (i32.and (i32.shr_u (local.get $delta) (i32.const 8)) (i32.const 0xff)))
                (br_if $other
                  (i32.ne
                    (i32.add (local.get $from) (local.get $change))
                    (i32.add (local.get $in) (local.get $size))))
                (br_if $other (i32.ge_u (i32.sub (local.get $change) (i32.const 1)) (i32.const 16)))
                (br_if $other (i32.gt_u (i32.add (local.get $keep) (local.get $change)) (i32.const 4096)))
                (v128.store
                  (i32.add (local.get $page) (local.get $keep))
                  (v128.bitselect
                    (v128.load (local.get $from))
                    (v128.load (i32.add (local.get $page) (local.get $keep)))
                    (i8x16.lt_s
                      (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
                      (i8x16.splat (local.get $change)))))
                (br $applied))
              (br_if $done (i32.lt_s (local.get $left) (i32.const 11)))
              (br_if $done (i32.ne (i32.load8_u offset=8 (local.get $in)) (i32.const 1)))
              (local.set $size
                (i32.or
                  (i32.shl (i32.load8_u offset=9 (local.get $in)) (i32.const 8))
                  (i32.load8_u offset=10 (local.get $in))))
              (br_if $done (i32.gt_u (local.get $size) (i32.const 4096)))
              (br_if $done (i32.gt_s (local.get $size) (i32.sub (local.get $left) (i32.const 11))))
              (br_if $done
                (i32.lt_s
                  (call $decode (i32.add (local.get $in) (i32.const 11)) (local.get $size) (local.get $page))
                  (i32.const 0)))
              (local.set $size (i32.add (local.get $size) (i32.const 11)))
              (br $applied)))
          (if (i32.eq (local.get $flags) (i32.const 40))
            (then
              (local.set $size (i32.const 4104))
              (br_if $done (i32.lt_s (local.get $left) (local.get $size)))
              (memory.copy (local.get $page) (i32.add (local.get $in) (i32.const 8)) (i32.const 4096))
              (br $applied)))
          (br_if $done (i32.ne (local.get $flags) (i32.const 34)))
          (local.set $size (i32.const 9))
          (br_if $done (i32.lt_s (local.get $left) (local.get $size)))
          (br_if $done (i32.load8_u offset=8 (local.get $in)))
          ;; Memory that nobody touched stays so: a guest that is mostly zero then costs no memory here either.
          (br_if $applied (call $is_zero (local.get $page)))
          (memory.fill (local.get $page) (i32.const 0) (i32.const 4096)))
        (local.set $in (i32.add (local.get $in) (local.get $size)))
        (if (i32.eq (local.get $header) (local.get $next))
          (then
            (local.set $next (i32.add (local.get $header) (i32.const 4096)))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (i32.store (i32.sub (local.get $table) (i32.const 4)) (local.get $count))
            (br $records)))
        (local.set $next (i32.add (local.get $header) (i32.const 4096)))
        (local.set $count (i32.const 1))
        (i32.store (local.get $table) (local.get $header))
        (i32.store offset=4 (local.get $table) (local.get $count))
        (local.set $table (i32.add (local.get $table) (i32.const 8)))
        (br_if $records (i32.ne (local.get $table) (local.get $most)))))
    (i32.store (local.get $table) (local.get $in))
    (i32.shr_u (i32.sub (local.get $table) (local.get $begin)) (i32.const 3)))
)
